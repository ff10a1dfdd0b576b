import type { CSSProperties, ReactElement, RefObject } from 'react';
import type { EmbeddedWidget, EmbedOptions, WidgetName } from './embed.js';
import type { DetailedToken, QrveyClient } from './index.js';

type WithoutContainer<Options> = Options extends unknown ? Omit<Options, 'container'> : never;

/** What `embed` takes, less the container. */
export type QrveyWidgetOptions<Name extends WidgetName = WidgetName> = WithoutContainer<
  EmbedOptions<Name>
> & {
  /** The client whose tokens are used. Default: the page's. */
  client?: QrveyClient<string | DetailedToken>;
};

/** What {@link useQrveyWidget} gives. */
export interface QrveyWidgetState {
  /** For the element that the widget is put into. */
  ref: RefObject<HTMLDivElement | null>;
  /** What `embed` resolved to, while it stands. */
  widget: EmbeddedWidget | undefined;
  /** Why there is no widget; a `QrveyAuthError`. */
  error: unknown;
}

/**
 * Embeds a widget for as long as the component is mounted. New settings update it, other new options
 * embed it anew; objects are compared by what JSON says of them, and new listeners take over.
 */
export function useQrveyWidget<Name extends WidgetName>(options: QrveyWidgetOptions<Name>): QrveyWidgetState;

/** The options, and what the `div` takes. */
export type QrveyWidgetProps<Name extends WidgetName = WidgetName> = QrveyWidgetOptions<Name> & {
  id?: string;
  className?: string;
  style?: CSSProperties;
  /** Where `embed` would reject. */
  onError?: (error: unknown) => void;
};

/** A `div` with a widget in it. */
export function QrveyWidget<Name extends WidgetName>(props: QrveyWidgetProps<Name>): ReactElement;
