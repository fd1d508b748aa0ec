package dev.vigil.edge;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/// Takes each request of a service, and writes what it answers or why it does not.
public abstract class EdgeServlet extends HttpServlet {
    private static final long serialVersionUID = 1;
    private static final Logger LOG = LoggerFactory.getLogger(EdgeServlet.class);

    private final transient Set<String> proxies;

    /// @param proxies addresses whose `X-Forwarded-For` and `X-Request-Id` count; over TLS they always do, since only
    ///                services of this installation come in there
    protected EdgeServlet(Set<String> proxies) {
        this.proxies = Set.copyOf(proxies);
    }

    /// Answers one call.
    ///
    /// @throws RefusedException with what the client is told instead
    protected abstract Answer answer(Call call) throws IOException;

    @Override
    protected final void service(HttpServletRequest http, HttpServletResponse response) throws IOException {
        Call call = Call.of(http, http.isSecure() || proxies.contains(http.getRemoteAddr()));
        Answers.secure(http, response, call.id());
        try {
            Answers.write(http, response, answer(call));
        } catch (RefusedException e) {
            Answers.refuse(http, response, e.problem(), call.id());
        } catch (DataAccessException | TransactionException e) {
            LOG.warn("event=database_unavailable request={} cause={}", call.id(), e.getMessage());
            Answers.refuse(
                    http,
                    response,
                    Problem.passing(Code.DATABASE_UNAVAILABLE, "The database did not answer; try again."),
                    call.id());
        } catch (RuntimeException e) {
            LOG.error("event=request_failed request={} the answer was 500", call.id(), e);
            Answers.refuse(
                    http,
                    response,
                    Problem.of(
                            Code.INTERNAL_ERROR,
                            "Something went wrong on our side; give the request_id to whoever runs this server."),
                    call.id());
        }
    }

    /// What `/livez` and `/readyz` answer: no details.
    protected static Answer health(Call call, boolean good) {
        call.requireGet();
        if (!good) {
            throw new RefusedException(Problem.passing(Code.SERVICE_UNAVAILABLE, "Not ready; try again."));
        }
        return Answer.text("ok\n");
    }
}
