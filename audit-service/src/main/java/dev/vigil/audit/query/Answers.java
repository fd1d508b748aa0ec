package dev.vigil.audit.query;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/// Writes answers, with what holds for every one of them.
final class Answers {
    private static final String CONTENT_POLICY =
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    private Answers() {}

    static void secure(HttpServletRequest request, HttpServletResponse response, String requestId) {
        response.setHeader("Content-Security-Policy", CONTENT_POLICY);
        response.setHeader("X-Frame-Options", "DENY");
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Request-Id", requestId);
        if (request.isSecure()) {
            response.setHeader("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        }
    }

    static void write(HttpServletRequest request, HttpServletResponse response, Answer answer, String requestId)
            throws IOException {
        byte[] body = switch (answer) {
            case Answer.Content(String type, byte[] content) -> {
                response.setContentType(type);
                yield content;
            }
            case Answer.Refusal(Problem problem) -> {
                response.setStatus(problem.code().status());
                problem.headers().forEach(response::setHeader);
                response.setContentType("application/problem+json");
                yield Answer.JSON.writeValueAsBytes(problem.members(request.getRequestURI(), requestId));
            }
        };
        response.setContentLength(body.length);
        if (!request.getMethod().equals("HEAD")) {
            response.getOutputStream().write(body);
        }
    }
}
