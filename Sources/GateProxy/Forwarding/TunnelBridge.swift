import GateHTTP
import NIOCore

/// Carries bytes between a client and an application that have agreed on another protocol, until both have ended, or one has broken off.
/// A slow reader slows the other end's writer. How long neither may say anything is the application's connection's to know.
enum TunnelBridge {
    static func join(_ client: any Tunnel, _ application: any Tunnel) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await carry(from: client, to: application) }
            group.addTask { await carry(from: application, to: client) }
            // Where one direction breaks the other is of no use: who ends in an orderly way lets the other go on.
            for await isOrderly in group where !isOrderly { group.cancelAll() }
        }
    }

    /// - Returns: whether it came to an orderly end.
    private static func carry(from source: any Tunnel, to sink: any Tunnel) async -> Bool {
        do throws(BodyError) {
            while let part = try await source.next() { try await sink.write(part) }
            try await sink.finish()
            return true
        } catch {
            return false
        }
    }
}
