package dev.vigil.api.web;

import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/// Answers what never reached a filter, such as a request line that Tomcat cannot read, in the same form as all else.
public final class ProblemValve extends ErrorReportValve {
    @Override
    protected void report(Request request, Response response, @Nullable Throwable fault) {
        int status = response.getStatus();
        if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        Code code = switch (status) {
            case 404 -> Code.NOT_FOUND;
            case 405 -> Code.METHOD_NOT_ALLOWED;
            case 413 -> Code.TOO_LARGE;
            case 415 -> Code.UNSUPPORTED_MEDIA_TYPE;
            case 503 -> Code.SERVICE_UNAVAILABLE;
            default -> status >= 500 ? Code.INTERNAL_ERROR : Code.MALFORMED_REQUEST;
        };
        // Not the facade: after sendError it calls itself committed.
        EdgeFilter.secure(request, response);
        try {
            Problems.write(
                    request,
                    response,
                    Problem.of(code, "The request could not be read as HTTP; check its line, headers and length."));
        } catch (IOException | IllegalStateException e) {
            // The client is gone, or part of an answer is; there is nobody left to tell.
        }
    }
}
