import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// The five health calls. Never limited, never signed in.
enum HealthRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        let report = Endpoint(access: .everyone, limit: .none, handle: report)
        routes.add(.GET, "/health", Endpoint(access: .everyone, limit: .none, handle: simple))
        routes.add(.GET, "/api/v1/health", report)
        routes.add(.GET, "/api/health", report)
        routes.add(.GET, "/api/v1/health/live", Endpoint(access: .everyone, limit: .none, handle: live))
        routes.add(.GET, "/api/v1/health/ready", Endpoint(access: .everyone, limit: .none, handle: ready))
    }

    private static func simple(_ call: Call) -> Reply {
        .now(
            answer { writer in
                writer.member("status", "ok")
                writer.member("timestamp", call.services.time.now())
            })
    }

    private static func live(_ call: Call) -> Reply { .now(answer { $0.member("status", "ok") }) }

    private static func ready(_ call: Call) -> Reply {
        .later {
            let isReady = await call.services.health.isReady()
            return answer(isReady ? .ok : .serviceUnavailable) { $0.member("status", isReady ? "ready" : "not ready") }
        }
    }

    private static func report(_ call: Call) -> Reply {
        .later {
            let health = call.services.health
            let (status, checks) = await health.check()
            return answer(status == .unhealthy ? .serviceUnavailable : .ok) { writer in
                writer.member("status", status.rawValue)
                writer.member("timestamp", call.services.time.now())
                writer.member("version", health.version)
                writer.member("uptime", health.uptime.components.seconds)
                writer.name("checks")
                writer.beginObject()
                for check in checks {
                    writer.name(check.name)
                    writer.beginObject()
                    writer.member("status", check.health.status.rawValue)
                    writer.name("latency")
                    writer.value(Double(check.health.latency.wholeNanoseconds / 1000) / 1000)
                    if check.health.status == .unhealthy { writer.member("error", check.failure) }
                    writer.endObject()
                }
                writer.endObject()
            }
        }
    }

    private static let fields = EncodedFields(lines: Array("Content-Type: application/json\r\nCache-Control: no-store\r\n".utf8))

    private static func answer(_ status: HTTPResponseStatus = .ok, _ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        var response = Response(status, body: .bytes(ByteBuffer(bytes: writer.bytes)))
        response.encodedFields = fields
        return response
    }
}
