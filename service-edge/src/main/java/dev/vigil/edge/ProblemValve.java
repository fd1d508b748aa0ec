package dev.vigil.edge;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/// Answers what never reached the servlet, such as a request line that Tomcat cannot read, in the same form as all
/// else.
final class ProblemValve extends ErrorReportValve {
    @Override
    protected void report(Request request, Response response, @Nullable Throwable fault) {
        int status = response.getStatus();
        if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        Code code = switch (status) {
            case 404 -> Code.NOT_FOUND;
            case 405 -> Code.METHOD_NOT_ALLOWED;
            case 503 -> Code.SERVICE_UNAVAILABLE;
            default -> status >= 500 ? Code.INTERNAL_ERROR : Code.MALFORMED_REQUEST;
        };
        String requestId = Id.next(Kind.REQUEST).toString();
        Answers.secure(request, response.getResponse(), requestId);
        try {
            Answers.refuse(
                    request,
                    response.getResponse(),
                    Problem.of(code, "The request could not be read as HTTP; check its line, headers and length."),
                    requestId);
        } catch (IOException | IllegalStateException _) {
            // The client is gone, or part of an answer is; there is nobody left to tell.
        }
    }
}
