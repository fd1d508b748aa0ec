package dev.vigil.api.web;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Is told about every call once it is answered, for the audit trail. Must not block.
public interface CallWatch {
    void answered(Answered call);

    /// Whether it can take another one. While it cannot, calls are refused rather than left unrecorded.
    boolean accepts();

    /// A call that is over.
    ///
    /// @param caller    null when nobody was recognised
    /// @param operation the route's operation id; null when there is no such route
    /// @param method    HTTP method
    /// @param status    HTTP status
    /// @param code      the problem's code; null when it went well
    /// @param address   network address of the client
    /// @param requestId `req_…`
    /// @param duration  how long it took
    record Answered(
            @Nullable Caller caller,
            @Nullable String operation,
            String method,
            int status,
            @Nullable Code code,
            String address,
            String requestId,
            Duration duration) {}
}
