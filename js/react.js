'use client';

import { createElement, useEffect, useRef, useState } from 'react';
import { EVENTS, optionOf } from './events.js';
import { embed } from './index.js';
import { OWNER } from './options.js';
import { inPlaceOf, textOf } from './settings.js';

/**
 * Embeds into the element that gets `ref`. New settings update the widget, other new options embed it
 * anew, new listeners simply take over.
 */
export function useQrveyWidget({ client, ...options }) {
  const ref = useRef(null);
  const latest = useRef(options);
  const [state, setState] = useState({});
  const { settings, ...rest } = options;
  const what = textOf(rest);
  const how = textOf(settings);
  const shown = useRef(undefined);

  // Not while rendering: what is rendered may never be shown.
  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    const life = new AbortController();
    const { signal } = life;
    const now = { ...options, container: ref.current, [OWNER]: signal };
    for (const name of EVENTS.map(optionOf)) now[name] = (event) => latest.current[name]?.(event);
    shown.current = { how, settings };
    (client?.embed(now) ?? embed(now)).then(
      (widget) => setState({ widget }),
      (error) => signal.aborted || setState({ error }),
    );
    return () => {
      life.abort();
      setState({});
    };
  }, [client, what]);

  useEffect(() => {
    const { widget } = state;
    if (!widget || shown.current.how === how) return;
    // Names whatever came before, refused or not: the next change drops it in any case.
    const change = inPlaceOf(shown.current.settings, settings);
    shown.current = { how, settings: change };
    widget.update(change).then(
      () => setState((now) => (now.error && now.widget === widget ? { widget } : now)),
      (error) => widget.signal.aborted || setState({ widget, error }),
    );
  }, [state, how]);

  return { ref, widget: state.widget, error: state.error };
}

/** A `div` with a widget in it. */
export function QrveyWidget({ id, className, style, onError, ...options }) {
  const { ref, error } = useQrveyWidget(options);
  useEffect(() => {
    if (error) onError?.(error);
  }, [error]);
  return createElement('div', { ref, id, className, style });
}
