// Firefox, driven over WebDriver BiDi: its own protocol, so that no driver has to be installed beside it.

import puppeteer from 'puppeteer-core';

export const launch = () =>
  puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
  });
