import GateCore
import GateHTTP
import NIOHTTP1

/// The operator's calls about backups.
enum AdminBackupRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/admin/backups") { call in
            let list = await call.services.backups.list()
            return .personal { $0.value(list) }
        }
        routes.add(.POST, "/admin/backups") { call in
            let form = try await call.form()
            var order = BackupOrder()
            order.isScheduled = form.text("scheduled") == "true"
            order.isStaged = form.text("staged") == "true"
            order.includesSecrets = form.text("include_secrets") == "true" ? true : nil
            order.recipients = (form.text("recipients") ?? "").split(separator: ",").map(String.init)
            order.passphrase = form.text("passphrase").map { Secret($0) }
            let made = await call.services.backups.make(order)
            return .personal { $0.value(made) }
        }
        routes.add(.DELETE, "/admin/backups/staged/{name}") { call in
            await call.services.backups.discard(staged: try call.parameter("name"))
            return .personal { $0.value(.object([])) }
        }
    }
}
