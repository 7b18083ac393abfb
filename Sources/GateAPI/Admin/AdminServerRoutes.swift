import GateCore
import GateHTTP
import NIOHTTP1

/// The operator's calls about the server itself.
enum AdminServerRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/metrics") { call in .prometheus(call.services.metrics()) }
        routes.add(.POST, "/admin/secrets/rotate") { call in
            let done = try await call.services.rotateSecrets()
            return .personal { writer in
                writer.beginObject()
                writer.member("done", done)
                writer.endObject()
            }
        }
        routes.add(.POST, "/admin/reload") { call in
            guard let reload = call.services.reload else { throw Problem(.unavailable, "No server runs.") }
            let report = await reload()
            return .personal { writer in
                writer.beginObject()
                for (name, texts) in [
                    ("changed", report.changed), ("needs_restart", report.needsRestart), ("notices", report.notices),
                    ("faults", report.faults),
                ] {
                    writer.member(name, .array(texts.map { .string($0) }))
                }
                writer.endObject()
            }
        }
        routes.add(.GET, "/admin/migrations") { call in
            guard let migrations = call.services.migrations else { throw Problem(.unavailable, "No server runs.") }
            let list = try await migrations()
            return .personal { writer in
                writer.beginObject()
                writer.member("migrations", list)
                writer.endObject()
            }
        }
        routes.add(.GET, "/admin/server") { call in
            .personal { writer in
                writer.beginObject()
                writer.member("version", call.services.health.version)
                writer.member("uptime", call.services.health.uptime.components.seconds)
                writer.endObject()
            }
        }
    }
}
