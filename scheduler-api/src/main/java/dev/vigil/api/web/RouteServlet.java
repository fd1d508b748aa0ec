package dev.vigil.api.web;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/// Runs the handler of a request that the [RouteGate] let in, and writes its answer. Faults go back to the gate.
public final class RouteServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    private final transient CallRunner runner;

    public RouteServlet(CallRunner runner) {
        this.runner = runner;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        if (!(request.getAttribute(RouteGate.CALL) instanceof Call call)) {
            throw new ProblemException(Problem.notFound());
        }
        Answer answer = runner.run(call);
        response.setStatus(answer.status());
        answer.headers().forEach(response::setHeader);
        switch (answer.body()) {
            case Answer.Body.None() -> {}
            case Answer.Body.Bytes(String type, byte[] content) -> {
                response.setContentType(type);
                response.setContentLength(content.length);
                response.getOutputStream().write(content);
            }
            case Answer.Body.Stream(String type, Answer.Source source) -> {
                response.setContentType(type);
                source.writeTo(response.getOutputStream());
            }
        }
    }
}
