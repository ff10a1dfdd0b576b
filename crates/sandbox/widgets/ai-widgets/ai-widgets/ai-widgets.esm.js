import '../../stand-in/sidekick-ai.js';
