/* Whoever signs in on a device of the desk sees that it keeps something: it is sent as soon as they are in. */

import { able, exists, start } from "./ticks.js";

if (able && (await exists())) await start();
