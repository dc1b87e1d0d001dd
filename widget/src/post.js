import {data, ENDPOINT} from './config.js';
import {emit} from './emit.js';

/**
 * Reports to the server. `text/plain` needs no preflight; `keepalive` lets the report survive the page.
 * @returns {Promise<object | number | undefined>} the answer; the status if the server refused (`grapevine:drop`);
 *   undefined if it is away
 */
export const post = async (path, body) => {
  try {
    const response = await fetch(ENDPOINT + 'v1/' + path, {
      method: 'POST',
      body: JSON.stringify({site: data.site, ...body}),
      keepalive: true,
      credentials: 'omit',
    });
    const answer = await response.json().catch(() => ({}));
    const {status, headers} = response;
    if (status == 200) return answer;
    emit('drop', {reason: headers.get('Grapevine-Dropped') || answer.code || status});
    return status;
  } catch {}
};

/** 160 random bits, as digits. */
export const nonce = () => (crypto.getRandomValues(new Uint32Array(5)).join(''));
