import { h } from './base/dom.js';
import { ConfigurationError, readValue } from './base/settings.js';
import { defineWidget } from './base/widget.js';
import { chartStyles, createChart, createMetric } from './parts/charts.js';

const GLANCE = [
  { title: 'Revenue', query: { dataset: 'orders', aggregate: 'sum', measure: 'amount' } },
  { title: 'Orders', query: { dataset: 'orders', aggregate: 'count', measure: 'order_id' } },
  { title: 'Tickets', query: { dataset: 'tickets', aggregate: 'count', measure: 'ticket_id' } },
];
const IDEAS = [
  'Which region brings the most revenue?',
  'Which products sell best?',
  'Who spends the most hours on tickets?',
];

/** A conversation about one's data; answers stream in word by word and end in a chart. */
defineWidget({
  tag: 'qrvey-ai-mcp-client',
  name: 'Sidekick AI',
  acceptsValues: true,
  styles: `${chartStyles}
.talk { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px; align-content: start; max-block-size: 460px; min-block-size: 180px; overflow-y: auto; padding-inline-end: 4px; }
.turn { display: grid; gap: 8px; max-inline-size: 680px; }
.turn.asked { justify-self: end; background: var(--accent-wash); border-radius: 12px 12px 2px 12px; padding: 8px 14px; }
.turn.answer .card { background: var(--surface); }
.turn[data-answer='running'] p::after { content: ''; display: inline-block; inline-size: 7px; block-size: 14px; margin-inline-start: 3px; background: var(--accent); vertical-align: -2px; }
.composer { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 8px; align-items: end; }
.composer textarea { min-block-size: 40px; resize: none; }
.composer .button { min-block-size: 40px; }
.ideas { display: flex; flex-wrap: wrap; gap: 8px; }
.ideas .button { font-weight: 400; text-align: start; }`,
  mount({ body, platform, tasks, element }) {
    const context = optional(element, 'context');
    const agents = optional(element, 'agents');
    let turns = 0;

    const glance = GLANCE.map((item) => ({ ...item, view: createMetric(item) }));
    const ideas = h(
      'div',
      { class: 'ideas', role: 'group', 'aria-label': 'Ideas' },
      IDEAS.map((idea) => h('button', { type: 'button', class: 'button', onclick: () => ask(idea) }, idea)),
    );
    const talk = h(
      'div',
      { class: 'talk', role: 'log', 'aria-label': 'Conversation', tabindex: 0 },
      h('p', { class: 'soft' }, 'Ask about the orders and tickets that you may see.'),
      h(
        'dl',
        { class: 'metrics' },
        glance.map(({ view }) => view.element),
      ),
      ideas,
    );
    const text = h('textarea', {
      'data-input': 'question',
      rows: 1,
      'aria-label': 'Your question',
      placeholder: 'Ask about your data…',
      onkeydown: sendOnEnter,
    });
    body.append(
      h(
        'header',
        { class: 'head' },
        h('h2', {}, 'Sidekick'),
        agents && h('span', { class: 'tag' }, `${[agents].flat().length} agents`),
      ),
      talk,
      h(
        'form',
        { class: 'composer', onsubmit: send },
        text,
        h('button', { class: 'button primary', 'data-action': 'ask' }, 'Ask'),
      ),
    );

    for (const { title, query, view } of glance) {
      tasks.run(`glance:${title}`, async (signal) => view.show(await platform.query(query, { signal })));
    }

    function sendOnEnter(event) {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send(event);
    }

    function send(event) {
      event.preventDefault();
      const question = text.value.trim();
      if (question === '') return;
      text.value = '';
      ask(question);
    }

    function ask(question) {
      ideas.remove();
      turns += 1;
      const words = h('p', {});
      const turn = h('div', { class: 'turn answer', 'data-answer': 'running' }, words);
      talk.append(h('div', { class: 'turn asked' }, h('p', {}, question)), turn);
      const follow = () => talk.scrollTo({ top: talk.scrollHeight });
      follow();
      tasks.run(`answer:${turns}`, async (signal) => {
        words.textContent = '';
        turn.dataset.answer = 'running';
        try {
          const { pieces } = await platform.stream('POST', '/data/v1/assistant', {
            body: { question, context },
            signal,
          });
          for await (const line of lines(pieces)) {
            const part = JSON.parse(line);
            if (part.text) words.append(part.text);
            if (part.rows) turn.append(figures(part));
            if (part.done) turn.dataset.answer = 'done';
            follow();
          }
        } finally {
          if (turn.dataset.answer === 'running') turn.dataset.answer = 'stopped';
        }
      });
    }

    function figures({ query, rows }) {
      const chart = createChart({ query });
      // A year has twelve months; of everything else the first few say enough.
      chart.show({ rows: query.group_by === 'month' ? rows : rows.slice(0, 6) });
      return h('section', { class: 'card', 'aria-label': 'Figures' }, chart.element);
    }
  },
});

function optional(element, attribute) {
  try {
    return readValue(element, attribute, true);
  } catch (error) {
    if (error instanceof ConfigurationError && !element.hasAttribute(attribute)) return undefined;
    throw error;
  }
}

/** Whole lines out of pieces that end anywhere. */
async function* lines(pieces) {
  let rest = '';
  for await (const piece of pieces) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop();
    yield* parts.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
