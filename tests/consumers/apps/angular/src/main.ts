import { Component, provideZoneChangeDetection, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { getComposerToken } from 'qrvey-auth';

@Component({
  selector: 'app-root',
  template: '<output>{{ token() }}</output>',
})
class App {
  readonly token = signal('');

  constructor() {
    this.ask();
  }

  async ask(): Promise<void> {
    const tokens = await Promise.all([getComposerToken(), getComposerToken()]);
    this.token.set([...new Set(tokens)].join(' '));
  }
}

bootstrapApplication(App, { providers: [provideZoneChangeDetection()] });
