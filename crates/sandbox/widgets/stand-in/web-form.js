import { h } from './base/dom.js';
import { ConfigurationError } from './base/settings.js';
import { defineWidget } from './base/widget.js';

/** A published form: anybody with its hash may fill it in, so there is no token. */
defineWidget({
  tag: 'qrvey-webform-enduser',
  name: 'Web Form',
  attribute: 'config',
  tokenKeys: [],
  styles: `
form { display: grid; gap: 16px; inline-size: min(100%, 560px); }
fieldset { border: 0; padding: 0; margin: 0; display: grid; gap: 6px; }
legend { font-weight: 550; padding: 0; }
.choices { display: flex; flex-wrap: wrap; gap: 6px 16px; }
.choices label { display: inline-flex; align-items: center; gap: 6px; min-block-size: 30px; }
.thanks { display: grid; gap: 6px; }`,
  mount({ body, platform, tasks, settings }) {
    const hash = settings.qrvey_hash;
    if (!hash) throw new ConfigurationError('The configuration needs `qrvey_hash`.');
    const path = `/forms/v1/${encodeURIComponent(hash)}`;
    const stage = h('div', { class: 'stack' }, h('p', { class: 'empty' }, 'Loading the form…'));
    body.append(stage);

    tasks.run('form', async (signal) => draw(await platform.call('GET', path, { signal })));

    function draw(form) {
      const send = h('button', { class: 'button primary', 'data-action': 'send' }, 'Send');
      const element = h(
        'form',
        { onsubmit: (event) => submit(event, element, send) },
        form.fields.map(field),
        h('div', {}, send),
      );
      stage.replaceChildren(
        h('header', {}, h('h2', {}, form.title), h('p', { class: 'soft' }, form.lead)),
        element,
      );
    }

    function field({ name, label, kind, required, hint, choices }) {
      const text = required ? label : [label, h('span', { class: 'soft' }, ' (optional)')];
      if (kind === 'choice') {
        return h(
          'fieldset',
          {},
          h('legend', {}, text),
          h(
            'div',
            { class: 'choices' },
            choices.map((choice) =>
              h('label', {}, h('input', { type: 'radio', name, value: choice, required }), choice),
            ),
          ),
        );
      }
      const input =
        kind === 'long'
          ? h('textarea', { name, required, rows: 4, 'data-input': name })
          : h('input', { name, required, type: kind, placeholder: hint, 'data-input': name });
      return h('label', { class: 'field' }, h('span', {}, text), input);
    }

    function submit(event, form, send) {
      event.preventDefault();
      tasks.run('send', async (signal) => {
        send.disabled = true;
        try {
          const body = Object.fromEntries(new FormData(form));
          const { reference } = await platform.send('POST', `${path}/answers`, { body, signal });
          thank(reference);
        } finally {
          send.disabled = false;
        }
      });
    }

    function thank(reference) {
      stage.replaceChildren(
        h(
          'div',
          { class: 'thanks', role: 'status', 'data-reference': reference },
          h('h2', {}, 'Thank you'),
          h('p', {}, `We have it under ${reference}.`),
        ),
      );
    }
  },
});
