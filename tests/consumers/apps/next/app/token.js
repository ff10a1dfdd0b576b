'use client';

import { getComposerToken } from 'qrvey-auth';
import { useEffect, useState } from 'react';

export function Token() {
  const [tokens, setTokens] = useState([]);
  useEffect(() => {
    Promise.all([getComposerToken(), getComposerToken()]).then(setTokens);
  }, []);
  return <output>{[...new Set(tokens)].join(' ')}</output>;
}
