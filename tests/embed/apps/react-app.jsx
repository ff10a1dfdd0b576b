// A small application: a widget that can be hidden, changed and listened to, in StrictMode.

import { StrictMode, startTransition, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { QrveyWidget, useQrveyWidget } from 'qrvey-auth/react';

const never = new Promise(() => {});
function Never() {
  throw never;
}

function Hooked() {
  const { ref, widget, error } = useQrveyWidget({ widget: 'dashboard-view', profile: 'default' });
  return (
    <section>
      <output id="hooked">{error ? error.code : widget ? 'there' : 'loading'}</output>
      <div ref={ref} />
    </section>
  );
}

function App() {
  const [shown, show] = useState(true);
  const [settings, setSettings] = useState({ theme: 'light', density: 'compact' });
  const [, again] = useState(0);
  const [ready, setReady] = useState(0);
  const [problem, setProblem] = useState('');
  const [draft, setDraft] = useState('none');
  Object.assign(globalThis, {
    show,
    setSettings,
    again,
    /** Begins a rendering that is never shown. */
    begin: () => startTransition(() => setDraft('begun')),
  });
  return (
    <>
      <output id="ready">{ready}</output>
      <output id="problem">{problem}</output>
      {shown && (
        <QrveyWidget
          className="place"
          widget="dashboard-view"
          settings={{ ...settings }}
          onReady={() => setReady((count) => count + 1)}
          onAtApplyUserFilters={() => {
            globalThis.heard = draft;
          }}
          {...globalThis.more}
        />
      )}
      <Hooked />
      {draft === 'begun' && <Never />}
      <QrveyWidget widget="dashbord" onError={({ code }) => setProblem(code)} />
    </>
  );
}

createRoot(document.querySelector('#place')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
