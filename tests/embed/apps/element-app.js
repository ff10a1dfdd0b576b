// A page with nothing but the element; its properties are set before it is defined.

const place = document.querySelector('#place');
place.innerHTML =
  '<output id="ready">0</output><output id="problem"></output><qrvey-widget class="place" widget="dashboard-view"></qrvey-widget><qrvey-widget id="bad" widget="dashbord"></qrvey-widget>';
const widget = place.querySelector('.place');
Object.assign(widget, globalThis.more);
widget.settings = { theme: 'light', density: 'compact' };
widget.addEventListener('ready', () => {
  place.querySelector('#ready').textContent = String(Number(place.querySelector('#ready').textContent) + 1);
});
place.querySelector('#bad').addEventListener('error', ({ error }) => {
  place.querySelector('#problem').textContent = error.code;
});
await import('qrvey-auth/element');
