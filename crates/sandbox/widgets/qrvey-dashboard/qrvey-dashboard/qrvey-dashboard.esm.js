import '../../stand-in/dashboard.js';
