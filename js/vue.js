import { defineComponent, h, onBeforeUnmount, onMounted, ref, toRaw, watch } from 'vue';
import { EVENTS, optionOf } from './events.js';
import { embed } from './index.js';
import { OWNER, TEXT_OPTIONS } from './options.js';
import { inPlaceOf, textOf } from './settings.js';

/** A `div` with a widget in it. */
export const QrveyWidget = defineComponent({
  name: 'QrveyWidget',
  props: {
    ...Object.fromEntries(TEXT_OPTIONS.map((name) => [name, String])),
    settings: Object,
    options: Object,
    client: Object,
  },
  emits: [...EVENTS, 'error'],
  setup(props, { emit, expose }) {
    const container = ref(null);
    let life;
    let widget;
    /** All settings that the widget was ever to have, and whether others came before it stood. */
    let shown;
    let isStale;

    const fail = (error) => emit('error', error);
    const begin = async () => {
      end();
      life = new AbortController();
      const { signal } = life;
      const options = { ...toRaw(props.options), container: container.value, [OWNER]: signal };
      for (const name of [...TEXT_OPTIONS, 'settings']) {
        if (props[name] !== undefined) options[name] = toRaw(props[name]);
      }
      for (const type of EVENTS) {
        options[optionOf(type)] = (event) => {
          emit(type, event);
          props.options?.[optionOf(type)]?.(event);
        };
      }
      shown = { ...options.settings };
      isStale = false;
      try {
        const embedded = await (toRaw(props.client)?.embed(options) ?? embed(options));
        if (signal !== life?.signal) return;
        widget = embedded;
        if (isStale) update();
      } catch (error) {
        if (!signal.aborted) fail(error);
      }
    };
    const update = () => {
      shown = inPlaceOf(shown, toRaw(props.settings));
      widget.update(shown).catch((error) => widget?.signal.aborted === false && fail(error));
    };
    const end = () => {
      life?.abort();
      life = widget = undefined;
    };

    onMounted(begin);
    onBeforeUnmount(end);
    // An object in a template is a new one each time that the parent renders.
    watch(
      [...TEXT_OPTIONS.map((name) => () => props[name]), () => textOf(props.options), () => props.client],
      begin,
    );
    watch(
      () => textOf(props.settings),
      () => {
        if (widget) update();
        else isStale = true;
      },
    );
    expose({ widget: () => widget });
    return () => h('div', { ref: container });
  },
});
