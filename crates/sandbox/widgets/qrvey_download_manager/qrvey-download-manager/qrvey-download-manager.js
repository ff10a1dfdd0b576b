// The form for pages that load no module scripts of their own.
import(new URL('../../stand-in/download-manager.js', document.currentScript.src).href);
