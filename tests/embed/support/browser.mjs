// The browser that these tests run in: Chromium, or with EMBED_BROWSER=firefox Firefox.

import { useBrowser as useChromium } from '../../e2e/support/browser.mjs';
import { useFirefox } from './firefox.mjs';

export const useBrowser = process.env.EMBED_BROWSER === 'firefox' ? useFirefox : useChromium;
