/**
 * What all widgets share. `light-dark()` follows the `color-scheme` that the page hands down, so a
 * widget is dark exactly where the page is.
 */
export const theme = new CSSStyleSheet();

theme.replaceSync(`
:host {
  --surface: light-dark(#ffffff, #12161d);
  --raised: light-dark(#f5f6f9, #1a202a);
  --hover: light-dark(#eceff4, #232b37);
  --line: light-dark(#dde1e8, #2b3340);
  --field-line: light-dark(#8590a3, #66728a);
  --ink: light-dark(#161b25, #e8ecf3);
  --soft: light-dark(#545e70, #a2adbe);
  --accent: light-dark(#1c5bb8, #82b4ff);
  --accent-ink: light-dark(#ffffff, #0b1220);
  --accent-wash: light-dark(#e4edfb, #1b2d48);
  --bar: light-dark(#3f7fdb, #5f9bf0);
  --good: light-dark(#176b3a, #6fd39a);
  --warn: light-dark(#8a5300, #f0b960);
  --warn-wash: light-dark(#fdf3df, #33270f);
  --bad: light-dark(#a8271f, #ff9a92);
  display: block;
  min-inline-size: 0;
  container-type: inline-size;
  color: var(--ink);
  font: 400 14px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  text-align: start;
}
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; }
ol, ul { list-style: none; }
h2 { font-size: 18px; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
h3 { font-size: 13px; line-height: 1.4; font-weight: 600; }
.soft { color: var(--soft); }
.number { font-variant-numeric: tabular-nums; text-align: end; }

.frame { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; overflow: clip; overflow-wrap: anywhere; }
.body { padding: 20px; display: grid; gap: 18px; grid-template-columns: minmax(0, 1fr); }
.fault { color: var(--bad); }
.notice {
  display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; justify-content: space-between;
  position: sticky; inset-block-start: 0; z-index: 2;
  padding: 6px 12px 6px 20px; background: var(--warn-wash); color: var(--warn); border-block-end: 1px solid var(--line);
}
.head { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; justify-content: space-between; }
.row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.stack { display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr); align-content: start; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-inline-size: 0; }
.card > h3, .card > .head { margin-block-end: 10px; }
.empty { color: var(--soft); padding: 16px 0; }
.visually-hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

button, input, select, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; opacity: 0.55; }
.button, .quiet, input:not([type='checkbox'], [type='radio'], [type='range']), select, textarea {
  min-block-size: 34px; border-radius: 8px; border: 1px solid var(--field-line); background: var(--surface); padding: 5px 12px;
}
.button { display: inline-flex; align-items: center; justify-content: center; gap: 8px; font-weight: 550; border-color: var(--line); text-decoration: none; color: inherit; }
.button:hover:enabled, a.button:hover { background: var(--hover); }
.button[aria-pressed='true'] { background: var(--accent-wash); border-color: var(--accent); color: var(--accent); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
.button.primary:hover:enabled { background: color-mix(in oklab, var(--accent), var(--ink) 14%); }
.quiet { border-color: transparent; background: none; font-weight: 550; text-decoration: underline; text-underline-offset: 3px; color: inherit; padding-inline: 8px; }
.icon { min-inline-size: 34px; justify-content: center; padding-inline: 8px; }
textarea { padding-block: 8px; resize: vertical; min-block-size: 64px; inline-size: 100%; }
select { padding-inline-end: 8px; }
label.field { display: grid; gap: 4px; font-weight: 550; min-inline-size: 0; }
label.field > :is(input, select, textarea) { inline-size: 100%; font-weight: 400; }
::placeholder { color: var(--soft); opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
progress { accent-color: var(--accent); inline-size: 100%; block-size: 8px; }
input[type='range'], input[type='checkbox'], input[type='radio'] { accent-color: var(--accent); }

.tag { display: inline-flex; align-items: center; border-radius: 999px; padding: 1px 9px; font-size: 12px; background: var(--raised); color: var(--soft); white-space: nowrap; }
.tabs { display: flex; gap: 4px; border-block-end: 1px solid var(--line); overflow-x: auto; }
.tabs button { border: 0; background: none; padding: 8px 12px; font-weight: 550; color: var(--soft); border-block-end: 2px solid transparent; white-space: nowrap; }
.tabs button[aria-selected='true'] { color: var(--ink); border-block-end-color: var(--accent); }
.tabs button:focus-visible { outline-offset: -2px; }

.frame[data-state='loading'] .fresh { opacity: 0.6; }
@media (prefers-reduced-motion: no-preference) {
  .fresh { transition: opacity 160ms; }
  .fill { transition: inline-size 240ms, block-size 240ms; }
}
/* Here backgrounds go and transparent borders are drawn: what only they say must be said otherwise. */
@media (forced-colors: active) {
  .fill { background: CanvasText; forced-color-adjust: none; }
  .tabs button[aria-selected='false'], .quiet { border-color: Canvas; }
  .button[aria-pressed='true'] { border-color: Highlight; outline: 2px solid Highlight; outline-offset: -3px; }
}
@container (max-width: 480px) {
  .body { padding: 14px; gap: 14px; }
  .notice { padding-inline-start: 14px; }
}
`);
