import { ApplicationRef, Component, inject, provideZoneChangeDetection, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { getComposerToken } from 'qrvey-auth';
import { Orders } from './orders';

@Component({
  selector: 'app-root',
  imports: [Orders],
  template: `
    @if (showsWidget) {
      <app-orders />
    } @else {
      <output>{{ token() }}</output>
    }
  `,
})
class App {
  readonly token = signal('');
  readonly showsWidget = location.hash === '#orders';

  constructor() {
    inject(ApplicationRef).isStable.subscribe((isStable) => {
      document.body.dataset.stable = String(isStable);
    });
    if (!this.showsWidget) this.ask();
  }

  async ask(): Promise<void> {
    const tokens = await Promise.all([getComposerToken(), getComposerToken()]);
    this.token.set([...new Set(tokens)].join(' '));
  }
}

// Without zone.js, which one configuration leaves out, Angular does as it does by default.
bootstrapApplication(App, { providers: 'Zone' in globalThis ? [provideZoneChangeDetection()] : [] });
