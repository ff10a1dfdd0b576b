import type { QrveyAuthError, TokenOptions, TypedEventTarget } from './index.js';

/**
 * Puts a widget on the page and keeps its token fresh.
 *
 * ```js
 * const widget = await embed({ widget: 'dashboard-view', container: '#dashboard' });
 * ```
 *
 * @throws {QrveyAuthError} `invalid_options`, `widget_load_failed`, or what `getComposerToken` rejects
 * with; or the caller's own `signal.reason`. Nothing is left on the page then.
 */
export function embed<Name extends WidgetName>(options: EmbedOptions<Name>): Promise<EmbeddedWidget<Name>>;

/** A widget of the catalogue. */
export type WidgetName = keyof WidgetSettings;

/**
 * The documented settings of each widget. Keys that are not listed are handed to the widget as they
 * are; listed ones of the wrong type are rejected with `invalid_options`, naming `settings.<key>`.
 * The token is filled in by `embed`; an API key is refused.
 */
export interface WidgetSettings {
  dashboard: CommonSettings;
  'dashboard-builder': CommonSettings;
  'dashboard-view': CommonSettings;
  'analytic-suite': CommonSettings;
  'single-panel': SinglePanelSettings;
  'pixel-perfect-report': CommonSettings;
  automation: CommonSettings;
  'download-manager': CommonSettings;
  'web-form-design': WebFormDesignSettings;
  'web-form': WebFormSettings;
  'sidekick-ai': CommonSettings;
}

/** The settings that every widget takes. */
export interface CommonSettings {
  /** As the option of the same name, which comes first. */
  domain?: string;
  /** Never in a page: whoever has it has every tenant's data. */
  apiKey?: never;
  api_key?: never;
  /** Filled in by `embed`. */
  qvToken?: never;
  qv_token?: never;
  [key: string]: unknown;
}

/** The panel to show: its Qrvey, its type, and the id of that type. */
export interface SinglePanelSettings extends CommonSettings {
  qrveyId: string;
  type: 'CHART' | 'SUMMARY' | 'METRIC';
  chartId?: string;
  summaryId?: string;
  metricId?: string;
}

/** Either spelling; the widget gets snake case. */
export interface WebFormDesignSettings extends CommonSettings {
  appId?: string;
  app_id?: string;
  userId?: string;
  user_id?: string;
  qrveyId?: string;
  qrvey_id?: string;
  appType?: string;
  app_type?: string;
}

/** The form to show; either spelling. */
export type WebFormSettings = CommonSettings &
  ({ qrveyHash: string; qrvey_hash?: string } | { qrvey_hash: string; qrveyHash?: string });

/** Settings may be left out where a widget needs none. */
type Settings<Name extends WidgetName> = CommonSettings extends WidgetSettings[Name]
  ? { settings?: WidgetSettings[Name] }
  : { settings: WidgetSettings[Name] };

/** What Sidekick AI takes beside its settings. */
type Attributes<Name extends WidgetName> = Name extends 'sidekick-ai'
  ? { context?: unknown; agents?: unknown }
  : unknown;

/** What {@link embed} takes: the widget, what goes with it, and {@link EmbedBaseOptions}. */
export type EmbedOptions<Name extends WidgetName = WidgetName> = {
  [Each in Name]: { widget: Each } & Settings<Each> & Attributes<Each>;
}[Name] &
  EmbedBaseOptions;

/** The options of {@link embed} that every widget takes; those for its token are {@link TokenOptions}. */
export interface EmbedBaseOptions extends Omit<TokenOptions, 'detailedResponse' | 'signal'>, EmbedListeners {
  /** The element that the widget is put into, or a selector that finds it. */
  container: Element | string;
  /** The address of your Qrvey. Default: what the relay names. */
  domain?: string;
  /** Where the launchers are, for installations with a widgets host of its own. Default: `domain`. */
  widgetsUrl?: string;
  /** Where the widget sends its requests, if that is not `domain`. */
  apiUrl?: string;
  /**
   * What happens to the running widget when its token is renewed. `seamless` (default): its requests
   * carry the new token, it keeps its state. `remount`: it is replaced, in a container that keeps size,
   * scroll and focus. `off`: nothing; the token is not renewed.
   */
  renew?: 'seamless' | 'remount' | 'off';
  /** The key that takes the token, for launchers older than the default. */
  tokenKey?: 'qvToken' | 'qv_token';
  /** How long the launcher may take to define the widget, in milliseconds. Default 30 000. */
  loadTimeoutMs?: number;
  /** Of the launcher's script element, for pages with a nonce in their Content-Security-Policy. */
  nonce?: string;
  /**
   * Destroys the widget, or ends the call: it rejects with the signal's own reason. Default: the
   * client's, if it has one.
   */
  signal?: AbortSignal;
}

/** A widget on the page. */
export interface EmbeddedWidget<Name extends WidgetName = WidgetName> extends TypedEventTarget<EmbedEvents> {
  /** The widget's own element; a re-mount replaces it. Undefined once destroyed. */
  readonly element: HTMLElement | undefined;
  /** Aborts when the widget is destroyed. */
  readonly signal: AbortSignal;
  /** Changes the settings that are named, and mounts the widget anew with them; `domain` stays what it is. */
  update(settings: Partial<WidgetSettings[Name]>): Promise<void>;
  /** Gets a new token now. */
  renew(): Promise<void>;
  /** Leaves nothing: no element, global, listener, timer, patched function or pending request. */
  destroy(reason?: unknown): void;
}

/** The events of an {@link EmbeddedWidget}: its own, then those of Qrvey's. */
export interface EmbedEvents {
  /** The widget's element has been put into the page. */
  ready: CustomEvent<Record<string, never>>;
  /** The time to renew has come; the token is still good. */
  expiring: CustomEvent<{ expiresAt?: number }>;
  /** There is a new token. `isRemounted`: the widget lost its state over it. */
  renewed: CustomEvent<{ expiresAt?: number; isRemounted: boolean }>;
  /** A renewal failed; the widget stays. `retryInMs`: when the next one is due, if one is. */
  failed: CustomEvent<{ error: QrveyAuthError; retryInMs?: number }>;
  /** The token has ended with no other in its place. */
  expired: CustomEvent<{ expiresAt?: number }>;
  /** `out_of_reach`: requests of a frame or worker could not be given the new token. */
  remounted: CustomEvent<{ reason: 'renewed' | 'out_of_reach' | 'settings' }>;
  /** Qrvey: the platform answered 401. Acted upon already. */
  qvTokenExpired: CustomEvent<{ trigger?: string }>;
  qvDSHPageLoaded: CustomEvent<unknown>;
  qvDSHItemsLoaded: CustomEvent<unknown>;
  atApplyUserFilters: CustomEvent<unknown>;
  qvDSHRestoreDashboard: CustomEvent<unknown>;
  qvDSHSaveDashboard: CustomEvent<unknown>;
  qvDSHEditDashboard: CustomEvent<unknown>;
  qvDSHCloseEditDashboard: CustomEvent<unknown>;
}

/** Each event of {@link EmbedEvents} as an option: `onReady`, `onQvDSHPageLoaded`, … */
export type EmbedListeners = {
  [Type in keyof EmbedEvents as `on${Capitalize<Type>}`]?: (event: EmbedEvents[Type]) => void;
};
