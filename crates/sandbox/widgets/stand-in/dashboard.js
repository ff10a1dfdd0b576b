import { h } from './base/dom.js';
import { defineWidget } from './base/widget.js';
import { createPages, pagesStyles } from './parts/pages.js';

const SAVED = '/data/v1/personal/dashboard';
const tell = (type, detail = {}) => window.dispatchEvent(new CustomEvent(type, { detail }));

/** The dashboard of version 9: pages, and a view of one's own that is edited, saved and restored. */
defineWidget({
  tag: 'qrvey-dashboard',
  name: 'Dashboard',
  styles: `${pagesStyles}
.title { font-size: 18px; font-weight: 650; inline-size: min(100%, 420px); }
.editor { background: var(--accent-wash); border-radius: 10px; padding: 14px 16px; }`,
  mount({ body, platform, tasks }) {
    let pages;
    let dashboard;
    let saved = { title: '', notes: '' };

    const heading = h('h2', {}, 'Dashboard');
    const edit = h(
      'button',
      {
        type: 'button',
        class: 'button',
        'data-action': 'edit',
        onclick: () => setEditing(true),
        disabled: true,
      },
      'Edit my view',
    );
    const title = h('input', { class: 'title', 'data-input': 'title', maxlength: 80 });
    const notes = h('textarea', {
      'data-input': 'notes',
      rows: 3,
      placeholder: 'What should you remember about these figures?',
    });
    const editor = h(
      'form',
      { class: 'editor stack', hidden: true, 'aria-label': 'Edit my view', onsubmit: save },
      h('label', { class: 'field' }, 'Title', title),
      h('label', { class: 'field' }, 'Notes', notes),
      h(
        'div',
        { class: 'row' },
        h('button', { class: 'button primary', 'data-action': 'save' }, 'Save'),
        h(
          'button',
          { type: 'button', class: 'button', 'data-action': 'restore', onclick: restore },
          'Restore',
        ),
        h('button', { type: 'button', class: 'quiet', onclick: () => setEditing(false) }, 'Close'),
      ),
    );
    const shownNotes = h('p', { class: 'soft', hidden: true });
    const stage = h('div', { class: 'stack' }, h('p', { class: 'empty' }, 'Loading the dashboard…'));
    body.append(h('header', { class: 'head' }, heading, edit), shownNotes, editor, stage);

    tasks.run('pages', async (signal) => {
      dashboard = await platform.call('GET', '/data/v1/pages', { signal });
      pages = createPages({ dashboard, platform, tasks });
      stage.replaceChildren(...pages.elements);
      edit.disabled = false;
      showSaved();
    });
    tasks.run('saved', async (signal) => {
      saved = (await platform.call('GET', SAVED, { signal })) ?? saved;
      showSaved();
    });

    function showSaved() {
      heading.textContent = saved.title || dashboard?.title || 'Dashboard';
      shownNotes.textContent = saved.notes;
      shownNotes.hidden = !saved.notes;
      // What is being typed is never overwritten.
      if (editor.hidden) fillEditor();
    }

    function fillEditor() {
      title.value = saved.title || dashboard?.title || '';
      notes.value = saved.notes;
    }

    function setEditing(isEditing) {
      editor.hidden = !isEditing;
      edit.hidden = isEditing;
      tell(isEditing ? 'qvDSHEditDashboard' : 'qvDSHCloseEditDashboard');
      if (isEditing) title.focus();
      else edit.focus();
    }

    function save(event) {
      event.preventDefault();
      tasks.run('save', async (signal) => {
        const document = { title: title.value.trim(), notes: notes.value.trim() };
        await platform.call('PUT', SAVED, { body: document, signal });
        saved = document;
        showSaved();
        setEditing(false);
        tell('qvDSHSaveDashboard', { title: document.title });
      });
    }

    function restore() {
      fillEditor();
      tell('qvDSHRestoreDashboard');
    }

    return { pause: () => pages?.stop() };
  },
});
