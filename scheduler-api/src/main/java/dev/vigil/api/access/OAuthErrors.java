package dev.vigil.api.access;

import dev.vigil.api.web.Code;
import dev.vigil.api.web.Json;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.Problems;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2ErrorCodes;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.security.web.authentication.AuthenticationFailureHandler;

/// Refusals of the OAuth2 endpoints: the members of RFC 6749 section 5.2, which clients read, and beside them those of
/// every other problem. The media type is the one RFC 6749 asks for.
final class OAuthErrors implements AuthenticationFailureHandler, AuthenticationEntryPoint {
    /// Who calls does not say which client he is.
    @Override
    public void commence(
            HttpServletRequest request, HttpServletResponse response, AuthenticationException withoutCredentials)
            throws IOException {
        onAuthenticationFailure(request, response, new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_CLIENT));
    }

    @Override
    public void onAuthenticationFailure(
            HttpServletRequest request, HttpServletResponse response, AuthenticationException failure)
            throws IOException {
        String error = failure instanceof OAuth2AuthenticationException oauth
                ? oauth.getError().getErrorCode()
                : "server_error";
        boolean credentials = error.equals("invalid_client");
        Code code = credentials ? Code.INVALID_CREDENTIALS : Code.MALFORMED_REQUEST;
        String detail = credentials
                ? "The client is unknown or disabled, or its secret is wrong or missing."
                : "The token request is not possible: " + error + "; see RFC 6749 section 5.2.";
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("error", error);
        body.put("error_description", detail);
        body.putAll(Problems.members(request, Problem.of(code, detail)));
        byte[] bytes = Json.bytes(body);
        response.setStatus(code.status());
        if (credentials) {
            response.setHeader("WWW-Authenticate", "Basic realm=\"vigil\"");
        }
        response.setContentType("application/json");
        response.setContentLength(bytes.length);
        response.getOutputStream().write(bytes);
    }
}
