// A small application: a widget that can be hidden, changed and listened to, in StrictMode.

import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { QrveyWidget, useQrveyWidget } from 'qrvey-auth/react';

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
  Object.assign(globalThis, { show, setSettings, again });
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
        />
      )}
      <Hooked />
      <QrveyWidget widget="dashbord" onError={({ code }) => setProblem(code)} />
    </>
  );
}

createRoot(document.querySelector('#place')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
