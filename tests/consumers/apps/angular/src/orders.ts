import { Component, CUSTOM_ELEMENTS_SCHEMA, signal } from '@angular/core';
import 'qrvey-auth/element';

@Component({
  selector: 'app-orders',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <qrvey-widget
      widget="dashboard-view"
      [settings]="settings()"
      (renewed)="renewals.set(renewals() + 1)"
      (error)="problem.set($event.message)"
    ></qrvey-widget>
    <p>{{ renewals() }} renewals {{ problem() }}</p>
  `,
})
export class Orders {
  readonly settings = signal({ theme: 'light' });
  readonly renewals = signal(0);
  readonly problem = signal('');
}
