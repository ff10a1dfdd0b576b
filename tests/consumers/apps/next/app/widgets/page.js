import { QrveyWidget } from 'qrvey-auth/react';

export const dynamic = 'force-dynamic';

/** A server component: the package says itself where the client begins. */
export default function Page() {
  return <QrveyWidget id="orders" widget="dashboard-view" />;
}
