// Starts emulate's Slack, sends its events to the address given, and prints its own address and what it made.
// Settings come as one JSON object: { eventsUrl, signingSecret, botToken, personToken, scopes }.
import { readdirSync, readFileSync } from "node:fs";
import { createEmulator } from "emulate";

const settings = JSON.parse(process.argv[2]);
const folder = new URL("./node_modules/emulate/dist/", import.meta.url);
// The package exports no way to subscribe; its plugin is handed the dispatcher when it is registered.
const file = readdirSync(folder).find(
  (name) => /^dist-.*\.js$/.test(name) && readFileSync(new URL(name, folder), "utf8").includes("var slackPlugin ="),
);
const { slackPlugin, getSlackStore } = await import(new URL(file, folder));
const register = slackPlugin.register;
let made;
slackPlugin.register = (app, store, webhooks, ...rest) => {
  register(app, store, webhooks, ...rest);
  webhooks.register({ url: settings.eventsUrl, events: ["*"], active: true, owner: "slack" });
  made = getSlackStore(store);
};

const { url } = await createEmulator({
  service: "slack",
  port: 0,
  seed: {
    slack: {
      signing_secret: settings.signingSecret,
      strict_scopes: true,
      users: [{ name: "ann" }],
      oauth_apps: [
        {
          client_id: "1.2",
          client_secret: "client-secret",
          app_id: "A0NIGHTBAKE",
          name: "Nightbake",
          redirect_uris: settings.redirectUrls,
          scopes: settings.scopes,
          bot_id: "B0BOT",
          bot_user_id: "U0BOT",
        },
      ],
      tokens: [
        { token: settings.botToken, type: "bot", user_id: "U0BOT", bot_id: "B0BOT", scopes: settings.scopes },
        { token: settings.personToken, type: "user", user: "ann" },
      ],
    },
  },
});
console.log(JSON.stringify({ url, team: made.teams.all()[0].team_id, ann: made.users.findOneBy("name", "ann").user_id }));
