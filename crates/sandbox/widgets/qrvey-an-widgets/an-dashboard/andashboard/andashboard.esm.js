import '../../../stand-in/analytic-suite.js';
import '../../../stand-in/single-panel.js';
