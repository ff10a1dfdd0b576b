import { getComposerToken } from 'qrvey-auth';

export const dynamic = 'force-dynamic';

/** What a call for the page's own relay comes to where there is no page. */
export function GET() {
  return getComposerToken().then(
    () => Response.json('no error'),
    ({ code }) => Response.json(code),
  );
}
