package dev.vigil.chaos;

import dev.vigil.agent.handler.Attempt;
import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.Ownership;
import dev.vigil.agent.handler.RunListener;
import dev.vigil.agent.handler.Runner;
import dev.vigil.agent.sandbox.SandboxReport;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/// A runner that writes down what it begins to run and what is over.
///
/// @param runner runs it
/// @param log    where it is written, before anybody else hears of a start and after the end is known
/// @param time   monotonic nanoseconds
record WatchedRunner(Runner runner, StartLog log, LongSupplier time) implements Runner {
    @Override
    public Attempt run(ExecutionRequest request, RunListener listener) {
        var watch = new Watch(request, listener);
        Attempt attempt = runner.run(request, watch);
        var _ = attempt.outcome().thenRun(watch::over);
        return attempt;
    }

    private final class Watch implements RunListener {
        private final ExecutionRequest request;
        private final RunListener listener;
        private final AtomicBoolean running = new AtomicBoolean();

        Watch(ExecutionRequest request, RunListener listener) {
            this.request = request;
            this.listener = listener;
        }

        @Override
        public void started(UUID execution) {
            write(true);
            running.set(true);
            listener.started(execution);
        }

        @Override
        public void progress(UUID execution, double fraction, String message) {
            listener.progress(execution, fraction, message);
        }

        @Override
        public void log(UUID execution, LogStream stream, byte[] line) {
            listener.log(execution, stream, line);
        }

        private void write(boolean begins) {
            log.write(new StartLog.Line(
                    begins, request.execution(), request.fence(), request.attempt(), time.getAsLong()));
        }

        void over() {
            if (running.get()) {
                write(false);
            }
        }
    }

    @Override
    public List<Attempt> running() {
        return runner.running();
    }

    @Override
    public int slots() {
        return runner.slots();
    }

    @Override
    public List<Handler> handlers() {
        return runner.handlers();
    }

    @Override
    public SandboxReport sandbox() {
        return runner.sandbox();
    }

    @Override
    public Ownership ownership() {
        return runner.ownership();
    }

    @Override
    public void drain() {
        runner.drain();
    }

    @Override
    public void close() {
        runner.close();
    }
}
