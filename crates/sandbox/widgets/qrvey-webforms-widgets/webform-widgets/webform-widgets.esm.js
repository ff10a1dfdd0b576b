import '../../stand-in/web-form.js';
