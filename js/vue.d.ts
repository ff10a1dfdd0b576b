import type { DefineComponent } from 'vue';
import type { EmbeddedWidget, EmbedEvents, EmbedOptions, WidgetName } from './embed.js';
import type { QrveyClient } from './index.js';

export interface QrveyWidgetProps {
  widget: WidgetName;
  domain?: string;
  widgetsUrl?: string;
  apiUrl?: string;
  renew?: 'seamless' | 'remount' | 'off';
  tokenKey?: 'qvToken' | 'qv_token';
  relay?: string;
  endpoint?: string;
  profile?: string;
  credentials?: RequestCredentials;
  settings?: object;
  /** Options of `embed` that are no props. */
  options?: Partial<EmbedOptions>;
  /** The client whose tokens are used. Default: the page's. */
  client?: QrveyClient;
}

type Emits = { [Type in keyof EmbedEvents]: (event: EmbedEvents[Type]) => void } & {
  /** Where `embed` would reject. */
  error: (error: unknown) => void;
};

/** A `div` with a widget in it. New settings update it, other new props embed it anew. */
export const QrveyWidget: DefineComponent<
  QrveyWidgetProps,
  { widget: () => EmbeddedWidget | undefined },
  object,
  object,
  object,
  object,
  object,
  Emits
>;
