package dev.vigil.platform;

import dev.vigil.postgres.FreePort;
import java.util.stream.IntStream;

/// The loopback ports of one platform, all chosen before the first service starts, because they name each other.
///
/// @param api        public
/// @param worker     the API's mTLS port
/// @param management metrics of the API
/// @param audit      audit-service
/// @param gdpr       gdpr-service
record Ports(int api, int worker, int management, int audit, int gdpr) {
    private static final int ALL = 5;

    /// @param api 0 takes a free one
    /// @throws PlatformStartException when it is taken
    static Ports choose(int api) {
        if (api != 0 && !FreePort.isFree(api)) {
            throw new PlatformStartException("port " + api + " on 127.0.0.1 is taken; choose another one with --port");
        }
        int[] free = IntStream.generate(FreePort::pick)
                .filter(port -> port != api)
                .distinct()
                .limit(ALL)
                .toArray();
        return new Ports(api == 0 ? free[0] : api, free[1], free[2], free[3], free[4]);
    }

    static String url(int port) {
        return "http://127.0.0.1:" + port;
    }
}
