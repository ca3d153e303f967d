// The job of godo, the library that doctl and Terraform's provider are built on, here Debian's: a real client of the
// real API, against the API at PAASCTL_TEST_URL.
//
// What a configuration declares is created, read again without a difference, changed, and destroyed, as Terraform's
// provider does it; lists, actions and refusals are asked for as doctl does. The first surprise ends the program.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/digitalocean/godo"
	"golang.org/x/oauth2"
)

// Clouds of records boot at once, machines do not.
const (
	patience = 120 * time.Second
	pause    = 50 * time.Millisecond
)

var ctx = context.Background()

func end(what string, values ...interface{}) {
	fmt.Fprintf(os.Stderr, "godo: "+what+"\n", values...)
	os.Exit(1)
}

func check(what string, err error) {
	if err != nil {
		end("%s: %v", what, err)
	}
}

func equal(what string, wanted, found interface{}) {
	if !reflect.DeepEqual(wanted, found) {
		end("%s: wanted %v, found %v", what, wanted, found)
	}
}

// refused: the call ended with this status and a message of the API's that says this.
func refused(what string, status int, message string, err error) {
	answer, is := err.(*godo.ErrorResponse)
	if !is {
		end("%s is not refused: %v", what, err)
	}
	if answer.Response.StatusCode != status || !strings.Contains(answer.Message, message) {
		end("%s: wanted %d with %q, found %v", what, status, message, err)
	}
}

func gone(what string, err error) { refused(what, http.StatusNotFound, "", err) }

func eventually(what string, holds func() bool) {
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			end("%s: not within %v", what, patience)
		}
	}
}

func client(token string) *godo.Client {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	made, err := godo.New(oauth2.NewClient(ctx, source), godo.SetBaseURL(os.Getenv("PAASCTL_TEST_URL")+"/"))
	check("the client", err)
	return made
}

var api = client(os.Getenv("PAASCTL_TEST_TOKEN"))

// completed waits for an action by its identifier, as both programs do.
func completed(what string, action *godo.Action, err error) {
	check(what, err)
	eventually(what, func() bool {
		now, _, err := api.Actions.Get(ctx, action.ID)
		check(what, err)
		if now.Status == "errored" {
			end("%s: action %d errored", what, action.ID)
		}
		return now.Status == "completed"
	})
}

func sorted(texts []string) []string {
	result := append([]string{}, texts...)
	sort.Strings(result)
	return result
}

// paged walks through pages as doctl does: by the links of each answer.
func paged(what string, page func(*godo.ListOptions) (int, *godo.Response, error)) int {
	count := 0
	options := &godo.ListOptions{PerPage: 2}
	for {
		items, response, err := page(options)
		check(what, err)
		count += items
		if response.Links == nil || response.Links.IsLastPage() {
			if response.Meta != nil {
				equal(what+": meta.total", count, response.Meta.Total)
			}
			return count
		}
		current, err := response.Links.CurrentPage()
		check(what, err)
		options.Page = current + 1
	}
}

// world is what the configuration declares, by what the API calls each.
type world struct {
	key       *godo.Key
	vpc       *godo.VPC
	volume    *godo.Volume
	droplet   *godo.Droplet
	firewall  *godo.Firewall
	address   *godo.FloatingIP
	project   *godo.Project
	record    *godo.DomainRecord
	snapshot  string
	dropletID int
}

const (
	region = "nyc3"
	domain = "godo.example"
	size   = "s-1vcpu-1gb"
	larger = "s-2vcpu-2gb"
)

func (w *world) createNetwork() {
	var err error
	w.key, _, err = api.Keys.Create(ctx, &godo.KeyCreateRequest{Name: "godo", PublicKey: os.Getenv("PAASCTL_TEST_KEY")})
	check("creating a key", err)
	_, _, err = api.Tags.Create(ctx, &godo.TagCreateRequest{Name: "godo"})
	check("creating a tag", err)
	w.vpc, _, err = api.VPCs.Create(ctx, &godo.VPCCreateRequest{
		Name: "godo", RegionSlug: region, IPRange: "10.77.0.0/20", Description: "of a configuration"})
	check("creating a network", err)
}

func (w *world) createDroplet() {
	var err error
	w.volume, _, err = api.Storage.CreateVolume(ctx, &godo.VolumeCreateRequest{
		Region: region, Name: "godo-data", SizeGigaBytes: 1, FilesystemType: "ext4", Tags: []string{"godo"}})
	check("creating a volume", err)
	w.droplet, _, err = api.Droplets.Create(ctx, &godo.DropletCreateRequest{
		Name: "godo-1", Region: region, Size: size, Image: godo.DropletCreateImage{Slug: "debian-12-x64"},
		SSHKeys: []godo.DropletCreateSSHKey{{ID: w.key.ID}}, Monitoring: true, UserData: "#cloud-config\n",
		Tags: []string{"godo"}, VPCUUID: w.vpc.ID, Volumes: []godo.DropletCreateVolume{{ID: w.volume.ID}}})
	check("creating a droplet", err)
	equal("a new droplet's status", "new", w.droplet.Status)
	w.dropletID = w.droplet.ID
	eventually("the droplet is active", func() bool {
		w.droplet, _, err = api.Droplets.Get(ctx, w.dropletID)
		check("reading the droplet", err)
		return w.droplet.Status == "active" && !w.droplet.Locked && len(w.droplet.Tags) == 1 && len(w.droplet.VolumeIDs) == 1
	})
}

// rules as Terraform's provider sends them: all that is not given is left out.
func (w *world) rules() *godo.FirewallRequest {
	everywhere := []string{"0.0.0.0/0", "::/0"}
	return &godo.FirewallRequest{
		Name: "godo", Tags: []string{"godo"},
		InboundRules: []godo.InboundRule{
			{Protocol: "tcp", PortRange: "22", Sources: &godo.Sources{Addresses: everywhere}},
			{Protocol: "tcp", PortRange: "8000-8010", Sources: &godo.Sources{Tags: []string{"godo"}}},
			{Protocol: "icmp", Sources: &godo.Sources{DropletIDs: []int{w.dropletID}}}},
		OutboundRules: []godo.OutboundRule{
			{Protocol: "tcp", PortRange: "all", Destinations: &godo.Destinations{Addresses: everywhere}}}}
}

func (w *world) createRest() {
	var err error
	w.firewall, _, err = api.Firewalls.Create(ctx, w.rules())
	check("creating a firewall", err)
	w.address, _, err = api.FloatingIPs.Create(ctx, &godo.FloatingIPCreateRequest{Region: region})
	check("creating an address", err)
	action, _, err := api.FloatingIPActions.Assign(ctx, w.address.IP, w.dropletID)
	completed("assigning the address", action, err)
	_, _, err = api.Domains.Create(ctx, &godo.DomainCreateRequest{Name: domain, IPAddress: w.address.IP})
	check("creating a domain", err)
	w.record, _, err = api.Domains.CreateRecord(ctx, domain, &godo.DomainRecordEditRequest{
		Type: "MX", Name: "@", Data: "mail." + domain + ".", Priority: 10, TTL: 300})
	check("creating a record", err)
	w.project, _, err = api.Projects.Create(ctx, &godo.CreateProjectRequest{
		Name: "godo", Description: "of a configuration", Purpose: "Web Application", Environment: "Development"})
	check("creating a project", err)
	_, _, err = api.Projects.AssignResources(ctx, w.project.ID, w.droplet.URN(), w.volume.URN())
	check("moving into the project", err)
}

// readNetworkAndDroplet finds no difference to what was asked for: the next plan is empty.
func (w *world) readNetworkAndDroplet() {
	key, _, err := api.Keys.GetByID(ctx, w.key.ID)
	check("reading the key", err)
	equal("the key", *w.key, *key)
	byFingerprint, _, err := api.Keys.GetByFingerprint(ctx, w.key.Fingerprint)
	check("reading the key by its fingerprint", err)
	equal("the key by its fingerprint", *w.key, *byFingerprint)

	vpc, _, err := api.VPCs.Get(ctx, w.vpc.ID)
	check("reading the network", err)
	equal("the network", []string{"godo", region, "10.77.0.0/20", "of a configuration"},
		[]string{vpc.Name, vpc.RegionSlug, vpc.IPRange, vpc.Description})

	volume, _, err := api.Storage.GetVolume(ctx, w.volume.ID)
	check("reading the volume", err)
	equal("the volume", []interface{}{"godo-data", region, int64(1), "ext4", []string{"godo"}, []int{w.dropletID}},
		[]interface{}{volume.Name, volume.Region.Slug, volume.SizeGigaBytes, volume.FilesystemType, volume.Tags, volume.DropletIDs})

	droplet := w.droplet
	private, err := droplet.PrivateIPv4()
	check("the private address", err)
	public, err := droplet.PublicIPv4()
	check("the public address", err)
	if !strings.HasPrefix(private, "10.77.") || public == "" {
		end("addresses %q and %q", private, public)
	}
	equal("the droplet", []interface{}{"godo-1", region, size, "debian-12-x64", w.vpc.ID, []string{"godo"}, []string{w.volume.ID}},
		[]interface{}{droplet.Name, droplet.Region.Slug, droplet.SizeSlug, droplet.Image.Slug, droplet.VPCUUID, droplet.Tags, droplet.VolumeIDs})
	equal("the droplet's size", []int{1024, 1, 25}, []int{droplet.Memory, droplet.Vcpus, droplet.Disk})
	equal("its features", true, strings.Contains(strings.Join(droplet.Features, " "), "monitoring"))
	equal("its size's price", true, droplet.Size.PriceMonthly > 0 && droplet.Size.PriceHourly > 0)
	created, err := time.Parse(time.RFC3339, droplet.Created)
	check("its time", err)
	equal("it was created today", true, time.Since(created) < 24*time.Hour)
}

func (w *world) readRest() {
	var firewall *godo.Firewall
	var err error
	eventually("the firewall is in force", func() bool {
		firewall, _, err = api.Firewalls.Get(ctx, w.firewall.ID)
		check("reading the firewall", err)
		return firewall.Status == "succeeded" && len(firewall.PendingChanges) == 0
	})
	asked := w.rules()
	equal("its name and tags", []interface{}{asked.Name, asked.Tags}, []interface{}{firewall.Name, firewall.Tags})
	equal("its inbound rules", len(asked.InboundRules), len(firewall.InboundRules))
	for i, rule := range asked.InboundRules {
		// Terraform's provider reads "0" as all, for ICMP too.
		if rule.PortRange == "" {
			rule.PortRange = "0"
		}
		equal(fmt.Sprintf("inbound rule %d", i), rule, firewall.InboundRules[i])
	}
	out := asked.OutboundRules[0]
	out.PortRange = "0"
	equal("its outbound rules", []godo.OutboundRule{out}, firewall.OutboundRules)
	listed, _, err := api.Firewalls.ListByDroplet(ctx, w.dropletID, nil)
	check("the droplet's firewalls", err)
	equal("the droplet's firewalls", []string{w.firewall.ID}, []string{listed[0].ID})

	address, _, err := api.FloatingIPs.Get(ctx, w.address.IP)
	check("reading the address", err)
	equal("the address", []interface{}{region, w.dropletID}, []interface{}{address.Region.Slug, address.Droplet.ID})
	records, _, err := api.Domains.Records(ctx, domain, nil)
	check("reading records", err)
	kinds := []string{}
	for _, record := range records {
		kinds = append(kinds, record.Type)
	}
	equal("records of the domain", []string{"A", "MX", "NS", "NS", "NS", "SOA"}, sorted(kinds))
	record, _, err := api.Domains.Record(ctx, domain, w.record.ID)
	check("reading the record", err)
	equal("the record", []interface{}{"MX", "@", "mail." + domain, 10, 300},
		[]interface{}{record.Type, record.Name, strings.TrimSuffix(record.Data, "."), record.Priority, record.TTL})

	resources, _, err := api.Projects.ListResources(ctx, w.project.ID, nil)
	check("reading the project's resources", err)
	names := []string{}
	for _, resource := range resources {
		names = append(names, resource.URN)
	}
	equal("resources of the project", sorted([]string{w.droplet.URN(), w.volume.URN()}), sorted(names))
	tag, _, err := api.Tags.Get(ctx, "godo")
	check("reading the tag", err)
	equal("what has the tag", []int{2, 1}, []int{tag.Resources.Count, tag.Resources.Droplets.Count})
}

func (w *world) change() {
	_, _, err := api.Keys.UpdateByID(ctx, w.key.ID, &godo.KeyUpdateRequest{Name: "renamed"})
	check("renaming the key", err)
	_, _, err = api.VPCs.Set(ctx, w.vpc.ID, godo.VPCSetDescription("changed"))
	check("changing the network", err)

	// A size is changed as Terraform's provider does it: off, resized, on.
	action, _, err := api.DropletActions.PowerOff(ctx, w.dropletID)
	completed("powering off", action, err)
	action, _, err = api.DropletActions.Resize(ctx, w.dropletID, larger, true)
	completed("resizing", action, err)
	action, _, err = api.DropletActions.PowerOn(ctx, w.dropletID)
	completed("powering on", action, err)
	action, _, err = api.DropletActions.Rename(ctx, w.dropletID, "godo-renamed")
	completed("renaming", action, err)
	droplet, _, err := api.Droplets.Get(ctx, w.dropletID)
	check("reading the droplet", err)
	equal("the changed droplet", []string{"godo-renamed", larger, "active"}, []string{droplet.Name, droplet.SizeSlug, droplet.Status})

	action, _, err = api.StorageActions.Resize(ctx, w.volume.ID, 2, region)
	completed("enlarging the volume", action, err)
	action, _, err = api.StorageActions.DetachByDropletID(ctx, w.volume.ID, w.dropletID)
	completed("detaching the volume", action, err)
	action, _, err = api.StorageActions.Attach(ctx, w.volume.ID, w.dropletID)
	completed("attaching the volume", action, err)
	volume, _, err := api.Storage.GetVolume(ctx, w.volume.ID)
	check("reading the volume", err)
	equal("the changed volume", []interface{}{int64(2), []int{w.dropletID}}, []interface{}{volume.SizeGigaBytes, volume.DropletIDs})

	rules := w.rules()
	rules.InboundRules = rules.InboundRules[:1]
	_, _, err = api.Firewalls.Update(ctx, w.firewall.ID, rules)
	check("changing the firewall", err)
	more := &godo.FirewallRulesRequest{InboundRules: []godo.InboundRule{
		{Protocol: "udp", PortRange: "53", Sources: &godo.Sources{Addresses: []string{"203.0.113.0/24"}}}}}
	_, err = api.Firewalls.AddRules(ctx, w.firewall.ID, more)
	check("adding a rule", err)
	_, err = api.Firewalls.RemoveRules(ctx, w.firewall.ID, more)
	check("removing a rule", err)
	firewall, _, err := api.Firewalls.Get(ctx, w.firewall.ID)
	check("reading the firewall", err)
	equal("the changed firewall", 1, len(firewall.InboundRules))

	_, _, err = api.Domains.EditRecord(ctx, domain, w.record.ID, &godo.DomainRecordEditRequest{
		Type: "MX", Name: "@", Data: "mx." + domain + ".", Priority: 20, TTL: 600})
	check("changing the record", err)
	_, _, err = api.Projects.Update(ctx, w.project.ID, &godo.UpdateProjectRequest{Name: "renamed", Description: "changed",
		Purpose: "Web Application", Environment: "Production", IsDefault: false})
	check("changing the project", err)
	project, _, err := api.Projects.Get(ctx, w.project.ID)
	check("reading the project", err)
	equal("the changed project", []string{"renamed", "Production"}, []string{project.Name, project.Environment})
}

func (w *world) snapshots() {
	action, _, err := api.DropletActions.Snapshot(ctx, w.dropletID, "godo-snapshot")
	completed("taking a snapshot", action, err)
	taken, _, err := api.Droplets.Snapshots(ctx, w.dropletID, nil)
	check("the droplet's snapshots", err)
	equal("snapshots of the droplet", 1, len(taken))
	w.snapshot = strconv.Itoa(taken[0].ID)
	found, _, err := api.Snapshots.Get(ctx, w.snapshot)
	check("reading the snapshot", err)
	equal("the snapshot", []string{"godo-snapshot", "droplet", region}, []string{found.Name, found.ResourceType, found.Regions[0]})
	all, _, err := api.Snapshots.ListDroplet(ctx, nil)
	check("snapshots of droplets", err)
	equal("snapshots of droplets", 1, len(all))
	image, _, err := api.Images.GetByID(ctx, taken[0].ID)
	check("the snapshot as an image", err)
	equal("the image", []string{"godo-snapshot", "snapshot"}, []string{image.Name, image.Type})
	own, _, err := api.Images.ListUser(ctx, nil)
	check("own images", err)
	equal("own images", 1, len(own))
}

// destroy goes backwards, and each thing is not found afterwards.
func (w *world) destroy() {
	_, err := api.Snapshots.Delete(ctx, w.snapshot)
	check("deleting the snapshot", err)
	_, _, err = api.Snapshots.Get(ctx, w.snapshot)
	gone("the snapshot", err)
	_, err = api.Domains.DeleteRecord(ctx, domain, w.record.ID)
	check("deleting the record", err)
	_, err = api.Domains.Delete(ctx, domain)
	check("deleting the domain", err)
	_, _, err = api.Domains.Get(ctx, domain)
	gone("the domain", err)
	action, _, err := api.FloatingIPActions.Unassign(ctx, w.address.IP)
	completed("unassigning the address", action, err)
	_, err = api.FloatingIPs.Delete(ctx, w.address.IP)
	check("deleting the address", err)
	_, _, err = api.FloatingIPs.Get(ctx, w.address.IP)
	gone("the address", err)
	_, err = api.Firewalls.Delete(ctx, w.firewall.ID)
	check("deleting the firewall", err)
	_, _, err = api.Firewalls.Get(ctx, w.firewall.ID)
	gone("the firewall", err)

	action, _, err = api.StorageActions.DetachByDropletID(ctx, w.volume.ID, w.dropletID)
	completed("detaching the volume", action, err)
	_, err = api.Droplets.Delete(ctx, w.dropletID)
	check("deleting the droplet", err)
	eventually("the droplet is gone", func() bool {
		_, response, err := api.Droplets.Get(ctx, w.dropletID)
		return err != nil && response.StatusCode == http.StatusNotFound
	})
	_, err = api.Droplets.Delete(ctx, w.dropletID)
	gone("deleting the droplet again", err)
	_, err = api.Storage.DeleteVolume(ctx, w.volume.ID)
	check("deleting the volume", err)
	_, _, err = api.Storage.GetVolume(ctx, w.volume.ID)
	gone("the volume", err)
	_, err = api.Projects.Delete(ctx, w.project.ID)
	check("deleting the project", err)
	eventually("the network has no members any more", func() bool {
		response, err := api.VPCs.Delete(ctx, w.vpc.ID)
		return err == nil || response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusConflict
	})
	_, _, err = api.VPCs.Get(ctx, w.vpc.ID)
	gone("the network", err)
	_, err = api.Tags.Delete(ctx, "godo")
	check("deleting the tag", err)
	_, err = api.Keys.DeleteByID(ctx, w.key.ID)
	check("deleting the key", err)
	_, _, err = api.Keys.GetByID(ctx, w.key.ID)
	gone("the key", err)
}

// lists are read as doctl reads them, and so are several droplets of one request.
func lists() {
	made, _, err := api.Droplets.CreateMultiple(ctx, &godo.DropletMultiCreateRequest{
		Names: []string{"many-1", "many-2", "many-3", "many-4", "many-5"}, Region: region, Size: size,
		Image: godo.DropletCreateImage{Slug: "debian-12-x64"}, Tags: []string{"many"}})
	check("creating several droplets", err)
	equal("created with one request", 5, len(made))
	byTag := func(options *godo.ListOptions) (int, *godo.Response, error) {
		page, response, err := api.Droplets.ListByTag(ctx, "many", options)
		return len(page), response, err
	}
	eventually("all have the tag", func() bool { return paged("droplets by tag", byTag) == 5 })
	equal("all droplets", 5, paged("droplets", func(options *godo.ListOptions) (int, *godo.Response, error) {
		page, response, err := api.Droplets.List(ctx, options)
		return len(page), response, err
	}))
	for what, page := range map[string]func(*godo.ListOptions) (int, *godo.Response, error){
		"sizes": func(options *godo.ListOptions) (int, *godo.Response, error) {
			page, response, err := api.Sizes.List(ctx, options)
			return len(page), response, err
		},
		"regions": func(options *godo.ListOptions) (int, *godo.Response, error) {
			page, response, err := api.Regions.List(ctx, options)
			return len(page), response, err
		},
		"distributions": func(options *godo.ListOptions) (int, *godo.Response, error) {
			page, response, err := api.Images.ListDistribution(ctx, options)
			return len(page), response, err
		},
		"actions": func(options *godo.ListOptions) (int, *godo.Response, error) {
			page, response, err := api.Actions.List(ctx, options)
			return len(page), response, err
		},
	} {
		if paged(what, page) == 0 {
			end("there are no %s", what)
		}
	}
	eventually("all are unlocked", func() bool {
		page, _, err := api.Droplets.ListByTag(ctx, "many", nil)
		check("droplets by tag", err)
		for _, droplet := range page {
			if droplet.Locked {
				return false
			}
		}
		return true
	})
	actions, _, err := api.DropletActions.PowerOffByTag(ctx, "many")
	check("powering off by tag", err)
	equal("actions by tag", 5, len(actions))
	for i := range actions {
		completed("powering off by tag", &actions[i], nil)
	}
	_, err = api.Droplets.DeleteByTag(ctx, "many")
	check("deleting by tag", err)
	eventually("all are gone", func() bool {
		page, _, err := api.Droplets.List(ctx, nil)
		check("droplets", err)
		return len(page) == 0
	})
	_, err = api.Tags.Delete(ctx, "many")
	check("deleting the tag", err)
}

func refusals() {
	account, response, err := api.Account.Get(ctx)
	check("the account", err)
	equal("the account's status", "active", account.Status)
	equal("there is a limit of an hour", true, response.Rate.Limit > 0)
	if response.Rate.Remaining <= 0 || response.Rate.Reset.Before(time.Now()) {
		end("the rate is %v", response.Rate)
	}
	_, _, err = client("wrong").Account.Get(ctx)
	refused("a wrong token", http.StatusUnauthorized, "Unable to authenticate you", err)
	_, _, err = api.Droplets.Get(ctx, 404404)
	refused("no such droplet", http.StatusNotFound, "could not be found", err)
	_, _, err = api.Droplets.Create(ctx, &godo.DropletCreateRequest{Name: "not a name", Region: region, Size: size,
		Image: godo.DropletCreateImage{Slug: "debian-12-x64"}})
	refused("a name with blanks", http.StatusUnprocessableEntity, "", err)
	_, _, err = api.Droplets.Create(ctx, &godo.DropletCreateRequest{Name: "x", Region: region, Size: "s-99vcpu",
		Image: godo.DropletCreateImage{Slug: "debian-12-x64"}})
	refused("a size that there is not", http.StatusUnprocessableEntity, "", err)
	_, _, err = api.Storage.GetVolume(ctx, "506f78a4-e098-11e5-ad9f-000f53306ae1")
	gone("no such volume", err)
}

func registries() {
	// This release of the library does not know of tiers, which the API demands by now.
	request, err := api.NewRequest(ctx, http.MethodPost, "v2/registry",
		map[string]string{"name": "godo", "subscription_tier_slug": "starter"})
	check("asking for a registry", err)
	_, err = api.Do(ctx, request, nil)
	check("creating a registry", err)
	registry, _, err := api.Registry.Get(ctx)
	check("reading the registry", err)
	equal("the registry", "godo", registry.Name)
	credentials, _, err := api.Registry.DockerCredentials(ctx, &godo.RegistryDockerCredentialsRequest{ReadWrite: true})
	check("the registry's credentials", err)
	equal("they are Docker's", true, strings.Contains(string(credentials.DockerConfigJSON), "auths"))
	_, err = api.Registry.Delete(ctx)
	check("deleting the registry", err)
	_, _, err = api.Registry.Get(ctx)
	refused("the registry", http.StatusPreconditionFailed, "registry does not exist", err)
}

func main() {
	refusals()
	registries()
	var w world
	w.createNetwork()
	w.createDroplet()
	w.createRest()
	w.readNetworkAndDroplet()
	w.readRest()
	w.change()
	w.snapshots()
	w.destroy()
	lists()
	fmt.Println("godo is content")
}
