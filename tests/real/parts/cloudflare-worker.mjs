// The worker that cloudflare-provider.mjs runs: an authorization server and one resource by
// @cloudflare/workers-oauth-provider, with a consent page as the package's documentation has it.
import { AuthorizationError, OAuthAuthorizationServer } from './oauth-provider.js';

const person = 'person';
const escaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
let server; // one issuer for as long as the worker lives

async function authorize(oauth, request) {
  if (request.method === 'GET') {
    const asked = await oauth.parseAuthRequest(request);
    const { clientName, scope } = await oauth.describeConsent(asked);
    const { handle, headers } = await oauth.beginConsent(asked);
    headers.set('content-type', 'text/html; charset=utf-8');
    const boxes = scope.map((word) => `<input type="checkbox" name="scope" value="${escaped(word)}" checked>`).join('');
    return new Response(`<!doctype html><title>${escaped(clientName)}</title><form method="post">
      <input type="hidden" name="handle" value="${escaped(handle)}">${boxes}
      <button name="decision" value="approve">Allow</button><button name="decision" value="deny">Deny</button></form>`, { headers });
  }
  const form = await request.formData();
  const handle = String(form.get('handle'));
  if (form.get('decision') !== 'approve') {
    const { headers } = await oauth.denyConsent(request, handle);
    return new Response(null, { status: 302, headers });
  }
  const approved = await oauth.approveConsent(request, handle, { scope: form.getAll('scope').map(String) });
  const { redirectTo } = await oauth.completeAuthorization({
    request: approved.request, userId: person, metadata: {}, scope: approved.request.scope, props: {},
  });
  approved.headers.set('location', redirectTo);
  return new Response(null, { status: 302, headers: approved.headers });
}

export default {
  async fetch(request, env, context) {
    const { ISSUER: issuer } = env;
    const resource = `${issuer}/resource`;
    server ??= new OAuthAuthorizationServer({ issuer, resources: [resource], scopesSupported: ['read', 'write'] });
    const oauth = server.getOAuthApi(env);
    switch (new URL(request.url).pathname) {
      case '/authorize':
        return authorize(oauth, request).catch((error) => {
          if (!(error instanceof AuthorizationError)) throw error;
          return error.redirectTo ? Response.redirect(error.redirectTo, 302) : new Response(error.message, { status: 400 });
        });
      case '/resource': {
        const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
        const valid = await server.validateToken(resource, token, env).catch(() => null);
        return new Response(null, { status: valid ? 204 : 401 });
      }
      case '/__clients': {
        const client = { redirectUris: [env.REDIRECT_URI], clientName: 'loopin' };
        const made = ['none', 'client_secret_basic'].map((tokenEndpointAuthMethod) => oauth.createClient({ ...client, tokenEndpointAuthMethod }));
        return Response.json(await Promise.all(made));
      }
      case '/__end': {
        const { items } = await oauth.listUserGrants(person);
        await Promise.all(items.map(({ id }) => oauth.revokeGrant(id, person)));
        return new Response(null, { status: 204 });
      }
      default: return server.fetch(request, env, context);
    }
  },
};
