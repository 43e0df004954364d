// The page begins here: sign in if the address says so, then show the hub, or how to come in.

import { render } from 'preact';
import { App } from './app.tsx';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/pages.css';

const page = document.getElementById('page');
if (page !== null) render(<App />, page);
