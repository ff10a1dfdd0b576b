import type { EmbeddedWidget, EmbedEvents, EmbedOptions } from './embed.js';
import type { DetailedToken, QrveyClient } from './index.js';

/**
 * `<qrvey-widget>`, defined by importing this module in a browser.
 *
 * ```html
 * <qrvey-widget widget="dashboard-view" domain="https://tenant.qrvey.example"></qrvey-widget>
 * ```
 *
 * Attributes: `widget`, `domain`, `widgets-url`, `api-url`, `renew`, `token-key`, `relay`, `endpoint`,
 * `profile`, `credentials`, and `settings` as JSON. It fires the events of {@link EmbedEvents}, none of
 * which bubbles, and `error` with a `QrveyAuthError` where `embed` would reject.
 */
export interface QrveyWidgetElement extends HTMLElement {
  settings: object | undefined;
  /** Options of `embed` that have no attribute. */
  options: Partial<EmbedOptions> | undefined;
  /** The client whose tokens are used. Default: the page's. */
  client: QrveyClient<string | DetailedToken> | undefined;
  /** What `embed` resolved to, while it stands. */
  readonly embedded: EmbeddedWidget | undefined;
  addEventListener<Type extends keyof QrveyWidgetElementEvents>(
    type: Type,
    listener: (this: QrveyWidgetElement, event: QrveyWidgetElementEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof QrveyWidgetElementEvents>(
    type: Type,
    listener: (this: QrveyWidgetElement, event: QrveyWidgetElementEvents[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The events of every element, and those of {@link EmbedEvents}. */
export interface QrveyWidgetElementEvents extends HTMLElementEventMap, EmbedEvents {}

declare global {
  interface HTMLElementTagNameMap {
    'qrvey-widget': QrveyWidgetElement;
  }
}
