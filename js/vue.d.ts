import type { AllowedComponentProps, VNodeProps } from 'vue';
import type { EmbeddedWidget, EmbedListeners, EmbedOptions, WidgetName } from './embed.js';
import type { DetailedToken, QrveyClient } from './index.js';

/** What the component takes: options of `embed`. */
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
  client?: QrveyClient<string | DetailedToken>;
}

/** The events, as a template's or render function's listeners. */
type Listeners = EmbedListeners & {
  /** Where `embed` would reject. */
  onError?: (error: unknown) => void;
};

/**
 * A `div` with a widget in it. New settings update it, other new props embed it anew; objects are compared by
 * what JSON says of them.
 */
export const QrveyWidget: new () => {
  $props: QrveyWidgetProps & Listeners & VNodeProps & AllowedComponentProps;
  /** What `embed` resolved to, while it stands. */
  widget: () => EmbeddedWidget | undefined;
};
