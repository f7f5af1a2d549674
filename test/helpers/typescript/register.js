import { register } from 'node:module'

// Node 24 strips types by itself. For Node 20, tsx would do it too, but it takes part in every lookup of a module, which
// costs each test file a third of a second.
if (!process.features.typescript) register('./hooks.js', import.meta.url)
