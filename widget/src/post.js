import {data, ENDPOINT} from './config.js';
import {emit} from './emit.js';

/**
 * Reports to the server. `text/plain` needs no preflight; `keepalive` lets the report survive the page.
 * @returns {Promise<object | number | undefined>} the answer; the status if the server refused (`grapevine:drop`);
 *   undefined if it is away
 */
export async function post(path, body) {
  try {
    const response = await fetch(ENDPOINT + 'v1/' + path, {
      method: 'POST',
      body: JSON.stringify({site: data.site, ...body}),
      keepalive: true,
      credentials: 'omit',
    });
    const answer = await response.json().catch(() => ({}));
    if (response.status == 200) return answer;
    emit('drop', {reason: response.headers.get('Grapevine-Dropped') || answer.code || response.status});
    return response.status;
  } catch {}
}

/** 128 random bits and more, in letters and digits. */
export function nonce() {
  return Array.from(crypto.getRandomValues(new Uint32Array(5)), (n) => n.toString(36)).join('');
}
