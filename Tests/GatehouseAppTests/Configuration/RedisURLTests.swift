import GateCore
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("The address of Redis")
struct RedisURLTests {
    @Test(
        "every form is read, and shown without user and password",
        arguments: [
            ("redis://localhost", RedisURL.Server.tcp(.init(name: "localhost", port: 6379)), "redis://localhost:6379"),
            ("redis://[::1]:7000/2", .tcp(.init(name: "::1", port: 7000)), "redis://[::1]:7000/2"),
            ("rediss://ann:pw@r.example.com:6380/0", .tcp(.init(name: "r.example.com", port: 6380)), "rediss://r.example.com:6380"),
            ("REDIS://:pw@10.0.0.1/", .tcp(.init(name: "10.0.0.1", port: 6379)), "redis://10.0.0.1:6379"),
            ("unix:///run/redis.sock", .unix(path: "/run/redis.sock"), "unix:///run/redis.sock"),
            ("unix://:pw@/run/redis.sock?db=4", .unix(path: "/run/redis.sock"), "unix:///run/redis.sock?db=4"),
            (
                "redis+sentinel://:pw@a:26379,b/main/1",
                .sentinels([.init(name: "a", port: 26379), .init(name: "b", port: 26379)], name: "main"),
                "redis+sentinel://a:26379,b:26379/main/1"
            ),
            (
                "rediss+sentinel://[2001:db8::1]/my%20main", .sentinels([.init(name: "2001:db8::1", port: 26379)], name: "my main"),
                "rediss+sentinel://[2001:db8::1]:26379/my main"
            ),
        ])
    func forms(text: String, server: RedisURL.Server, shown: String) throws {
        let url = try RedisURL(text)
        #expect(url.server == server)
        #expect(url.description == shown)
        #expect(url.isSecure == text.lowercased().hasPrefix("rediss"))
    }

    @Test("user and password are percent-decoded")
    func credentials() throws {
        let url = try RedisURL("redis://an%6E:p%40%2F%25@h")
        #expect(url.user == "ann" && url.password == Secret("p@/%"))
        let alone = try RedisURL("redis://:p:w@h")
        #expect(alone.user == nil && alone.password == Secret("p:w"))
        #expect("\(url) \(String(reflecting: url.password))".contains("p@") == false)
    }

    @Test(
        "what is wrong is told, and never the password",
        arguments: [
            "", "redis", "http://:hunter2@h", "redis://", "redis://:hunter2@", "redis://:hunter2@h:0", "redis://:hunter2@h:65536",
            "redis://:hunter2@h/x", "redis://:hunter2@h/-1", "redis://hunter2@h", "redis://:hunter2%@h", "redis://:hunter2%00@h",
            "redis://:hunter2%ff@h", "redis://:hunter2@[::1", "redis://:hunter2@[1.2.3.4]", "redis://:hunter2@a,b", "unix://run/redis.sock",
            "unix:///run/redis.sock?password=hunter2", "redis+sentinel://:hunter2@a", "redis+sentinel://:hunter2@a,/main",
            "redis://:hunter2@a b",
        ])
    func faults(text: String) {
        do throws(InvalidValue) {
            _ = try RedisURL(text)
            Issue.record("read: \(text)")
        } catch {
            #expect(!"\(error.problem) \(error.cure)".contains("hunter2"))
        }
    }

    @Test("an address alone chooses Redis, and memory can be chosen all the same")
    func choice() throws {
        func loaded(_ variables: [String: String]) throws -> Configuration.Loaded {
            try Configuration.load(Configuration.Sources(environment: variables, cores: 1)).get()
        }
        let chosen = try loaded(["REDIS_URL": "redis://:hunter2@r.example.com"])
        #expect(chosen.configuration.limits.backend == .redis)
        #expect(!chosen.report.contains("hunter2") && chosen.report.contains("<redacted>"))
        #expect(chosen.notices.contains { $0.contains("plain text") && !$0.contains("hunter2") })
        let kept = try loaded(["REDIS_URL": "redis://h", "GATEHOUSE_LIMITS_BACKEND": "memory"])
        #expect(kept.configuration.limits.backend == .memory)
        #expect(kept.notices.contains { $0.contains("limits.redis_url is not used") })
        #expect(try loaded([:]).configuration.limits.backend == .memory)
    }
}
