import '../../stand-in/download-manager.js';
