import { getComposerToken } from 'qrvey-auth';
import { Token } from './token.js';

// Rendered for each request, so that `next start` imports the package and not only `next build`.
export const dynamic = 'force-dynamic';

export default function Page() {
  return (
    <main>
      <p id="server">on the server it is a {typeof getComposerToken}</p>
      <Token />
    </main>
  );
}
