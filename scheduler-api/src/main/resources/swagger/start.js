window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  oauth2RedirectUrl: window.location.origin + "/swagger/oauth2-redirect.html",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "BaseLayout"
});
window.ui.initOAuth({
  clientId: "vigil-swagger",
  scopes: ["tasks:read", "tasks:write", "executions:read", "executions:control"],
  usePkceWithAuthorizationCodeGrant: true
});
