package dev.vigil.api.web;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.TransactionException;

/// Writes problems, from whichever layer they come.
public final class Problems {
    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
    private static final String RETRY_SECONDS = "2";

    private Problems() {}

    /// Writes the answer of a failed request, unless something was sent already.
    public static void write(HttpServletRequest request, HttpServletResponse response, Problem problem)
            throws IOException {
        if (response.isCommitted()) {
            return;
        }
        response.resetBuffer();
        response.setStatus(problem.code().status());
        problem.headers().forEach(response::setHeader);
        byte[] body = Json.bytes(members(request, problem));
        response.setContentType("application/problem+json");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }

    /// The members of a problem that answers this request, for answers that have members of their own beside them.
    public static Map<String, Object> members(HttpServletRequest request, Problem problem) {
        return problem.members(request.getRequestURI(), Call.requestId(request));
    }

    /// A problem with a part of a call, as JSON.
    public static byte[] bytes(Call call, Problem problem) {
        return Json.bytes(problem.members(call.path(), call.requestId()));
    }

    /// What a client is told about a fault that no handler expected.
    public static Problem of(Throwable fault, String requestId) {
        if (fault instanceof ProblemException refusal) {
            return refusal.problem();
        }
        if ((fault instanceof DataAccessException && !(fault instanceof DataIntegrityViolationException))
                || fault instanceof TransactionException) {
            LOG.warn("event=database_unavailable request={} cause={}", requestId, fault.getMessage());
            return Problem.of(
                            Code.DATABASE_UNAVAILABLE,
                            "The database did not answer, and nothing was changed that you were not told about; try again.")
                    .header("Retry-After", RETRY_SECONDS);
        }
        LOG.error("event=request_failed request={} the answer was 500", requestId, fault);
        return Problem.of(
                Code.INTERNAL_ERROR,
                "Something went wrong on our side; give the request_id to whoever runs this server.");
    }
}
