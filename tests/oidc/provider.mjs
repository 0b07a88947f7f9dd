// An OpenID Connect provider on loopback (npm package oidc-provider): two clients, and three people.
//
// node provider.mjs ISSUER-PORT DASHBOARD-URL. It prints one line with its issuer once it listens. Anybody's password
// is taken; `bob` is a reader, `eve` is nobody, and whoever else comes is a manager.

import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, dashboard] = process.argv.slice(2);

const groups = (name) => ({ bob: ["readers"], eve: [] })[name] ?? ["managers"];

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(8).toString("hex") };

const server = createServer();
server.listen(Number(port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "dashboard",
        token_endpoint_auth_method: "none",
        redirect_uris: [`${dashboard}/signed-in`],
        post_logout_redirect_uris: [`${dashboard}/signed-out`],
      },
      {
        client_id: "scripts",
        client_secret: "secret-of-scripts",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: {
      openid: ["sub", "groups"],
      email: ["email"],
      profile: ["preferred_username"],
    },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.test`, preferred_username: id, groups: groups(id) }),
    }),
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:example:report",
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource === "urn:example:report" ? "report" : "something-else",
          scope: "smtp-auth-report/read smtp-auth-report/manage openid email profile",
          accessTokenFormat: "jwt",
        }),
      },
    },
    ttl: { AccessToken: 600, ClientCredentials: 600, IdToken: 600, Session: 3600, Grant: 3600, Interaction: 600 },
  });
  server.on("request", provider.callback());
  console.log(`Provider at ${issuer}`);
});
