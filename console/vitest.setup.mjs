// What browsers have and Node.js 18 does not have globally.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
